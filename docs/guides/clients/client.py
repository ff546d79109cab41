"""Publishes files over one `artstore ops --lines`, all at once: python3 client.py ARTSTORE FILE..."""
import itertools, json, subprocess, sys, threading
from concurrent.futures import Future
from typing import Any, Dict


class ArtifactStore:
    def __init__(self, *command: str) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen([*command, "ops", "--lines"], stdin=pipe, stdout=pipe)
        self._waiting: Dict[int, "Future[Any]"] = {}
        self._ids, self._lock = itertools.count(), threading.Lock()
        self._reader = threading.Thread(target=self._read_answers, daemon=True)
        self._reader.start()

    def ask(self, operation: str, **fields: Any) -> "Future[Any]":
        number, answer = next(self._ids), Future()  # type: ignore[var-annotated]
        self._waiting[number] = answer
        request = json.dumps({"id": number, "operation": operation, **fields})
        with self._lock:
            self._process.stdin.write(request.encode() + b"\n")
            self._process.stdin.flush()
        return answer

    def close(self) -> None:
        self._process.stdin.close()  # what was asked is answered before the co-process ends
        self._reader.join()
        self._process.wait()

    def _read_answers(self) -> None:
        for line in self._process.stdout:
            answer = json.loads(line)
            waiting = self._waiting.pop(answer["id"], None)
            if waiting is None:
                continue  # of a line that bore no id, or was not understood
            if "error" in answer:
                waiting.set_exception(RuntimeError(answer["code"], answer["error"]))
            else:
                waiting.set_result(answer["result"])
        for waiting in list(self._waiting.values()):  # others may be asking
            waiting.set_exception(ConnectionError("the co-process has ended"))


if __name__ == "__main__":
    store = ArtifactStore(sys.argv[1])
    asked = [store.ask("publish_artifact", artifact_type="example", logical_key=path, data_path=path)
             for path in sys.argv[2:]]
    for answer in asked:
        result = answer.result()
        id = result["existingArtifactId"] if result["deduped"] else result["artifactId"]
        print(id, store.ask("get_artifact", artifact_id=id).result()["logicalKey"])
    store.close()
