INSERT INTO artifact_input (artifact_key, position, input_id, role)
VALUES (:artifact_key, :position, :input_id, :role)
