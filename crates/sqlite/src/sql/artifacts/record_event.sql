INSERT INTO artifact_event (sequence, kind, artifact_key, op_id, request_digest, created_at)
VALUES (:sequence, :kind, :artifact_key, :op_id, :request_digest, :created_at)
ON CONFLICT (sequence) DO UPDATE SET
    kind = excluded.kind,
    artifact_key = excluded.artifact_key,
    op_id = excluded.op_id,
    request_digest = excluded.request_digest,
    created_at = excluded.created_at
