// Publishes files over one `artstore ops --lines`, all at once: node client.ts ARTSTORE FILE...
// node erases the types by itself from 22.18 on; for an older one they are erased before.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { ChildProcess } from "node:child_process";

type Waiting = { resolve: (result: any) => void; reject: (error: Error) => void };

export class ArtifactStore {
  private child: ChildProcess;
  private waiting: Map<number, Waiting> = new Map();
  private nextId: number = 0;

  constructor(program: string, ...args: string[]) {
    this.child = spawn(program, [...args, "ops", "--lines"], { stdio: ["pipe", "pipe", "inherit"] });
    this.child.stdin!.on("error", () => {}); // told by the answers' end, and to who asks later
    const answers = createInterface({ input: this.child.stdout! });
    answers.on("line", (line: string) => {
      const answer = JSON.parse(line);
      const waiting = this.waiting.get(answer.id);
      this.waiting.delete(answer.id);
      if (!waiting) return; // of a line that bore no id, or was not understood
      if ("error" in answer) waiting.reject(Object.assign(new Error(answer.error), { code: answer.code }));
      else waiting.resolve(answer.result);
    });
    answers.on("close", () => {
      for (const { reject } of this.waiting.values()) reject(new Error("the co-process has ended"));
    });
  }

  ask(operation: string, fields: Record<string, unknown> = {}): Promise<any> {
    const id = this.nextId++;
    return new Promise((resolve: Waiting["resolve"], reject: Waiting["reject"]) => {
      this.waiting.set(id, { resolve, reject });
      const line = JSON.stringify({ id, operation, ...fields }) + "\n";
      this.child.stdin!.write(line, (error) => error && reject(error));
    });
  }

  close(): Promise<number | null> {
    this.child.stdin!.end(); // what was asked is answered before the co-process ends
    const { exitCode, signalCode } = this.child;
    if (exitCode !== null || signalCode !== null) return Promise.resolve(exitCode);
    return new Promise((resolve) => this.child.on("exit", resolve));
  }
}

const [program, ...paths] = process.argv.slice(2) as string[];
const store = new ArtifactStore(program!);
const publish = (path: string): Promise<any> =>
  store.ask("publish_artifact", { artifact_type: "example", logical_key: path, data_path: path });
for (const result of await Promise.all(paths.map(publish))) {
  const id: string = result.deduped ? result.existingArtifactId : result.artifactId;
  console.log(id, (await store.ask("get_artifact", { artifact_id: id })).logicalKey);
}
await store.close();
