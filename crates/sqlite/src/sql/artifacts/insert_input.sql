INSERT INTO artifact_input (artifact_id, position, input_id, role)
VALUES (:artifact_id, :position, :input_id, :role)
