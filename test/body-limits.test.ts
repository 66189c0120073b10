// Bodies that mean harm (fault 33), over raw sockets: the server answers or closes in time, its memory stays where it was, and
// the next request is served.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { createGzip } from "node:zlib";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

const TIMEOUT = 300;
const MIB = 1024 * 1024;
const path = fileURLToPath(new URL("./fixtures/json-server.ts", import.meta.url));
let child: ChildProcess;
let port = 0;

beforeAll(async () => {
  const execArgv = ["--expose-gc", "--import", "tsx"];
  child = fork(path, { execArgv, env: { ...process.env, BODY_TIMEOUT: String(TIMEOUT) } });
  [{ port }] = (await once(child, "message")) as [{ port: number }];
  // What is loaded and compiled for a first request is not what a body costs.
  for (let i = 0; i < 20; i++) await post("[]");
});
afterAll(() => {
  child.disconnect();
});
afterEach(async () => {
  expect(await post("[[]]")).toMatchObject({ status: 200, text: "2" });
});

/** How far the server's memory grew since this was asked last; it must have no error that nobody caught. */
async function growth(): Promise<number> {
  child.send("growth");
  const [{ grown, faults }] = (await once(child, "message")) as [{ grown: number; faults: string[] }];
  expect(faults).toEqual([]);
  return grown;
}

interface Answer {
  /** 0 = closed without one. */
  readonly status: number;
  readonly text: string;
  /** Bytes that were sent until it came. */
  readonly sent: number;
  readonly milliseconds: number;
}
type Send = (bytes: string | Uint8Array) => Promise<boolean>;

function parse(received: string): { complete: boolean; status: number; text: string } {
  const [, head = "", text = ""] = /^(.+?\r\n)\r\n(.*)$/s.exec(received) ?? [];
  const length = Number(/content-length: (\d+)\r\n/i.exec(head)?.[1] ?? 0);
  return { complete: head !== "" && text.length >= length, status: Number(head.split(" ")[1] ?? 0), text };
}

/** Talks to the server byte by byte: what it answered first, or that it closed. `send` is false once it has. */
function exchange(talk: (send: Send, socket: Socket) => unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const socket = connect(port, "127.0.0.1");
    let sent = 0;
    let received = "";
    let over = false;
    const end = () => {
      if (over) return;
      over = true;
      socket.destroy();
      const { status, text } = parse(received);
      resolve({ status, text, sent, milliseconds: performance.now() - start });
    };
    const send: Send = async (bytes) => {
      if (over) return false;
      sent += bytes.length;
      if (!socket.write(bytes)) await Promise.race([once(socket, "drain"), once(socket, "close")]).catch(() => {});
      return !over;
    };
    socket.on("data", (chunk) => {
      received += chunk;
      if (parse(received).complete) end();
    });
    socket.on("error", end);
    socket.on("close", end);
    socket.on("connect", () => Promise.resolve(talk(send, socket)).catch(reject));
  });
}
const head = (...headers: string[]) => ["POST / HTTP/1.1", "host: hub", ...headers, "", ""].join("\r\n");
const post = (body: string) => exchange((send) => send(head(`content-length: ${Buffer.byteLength(body)}`) + body));

/** Sends bytes as a chunked body, as many times as it is taken. */
async function sendChunks(send: Send, chunk: Uint8Array, times: number): Promise<void> {
  const framed = Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n")]);
  for (let i = 0; i < times; i++) if (!(await send(framed))) return;
  await send("0\r\n\r\n");
}

test("one byte a minute: 408 once the time is over", async () => {
  for (const headers of [
    ["content-length: 100"],
    ["transfer-encoding: chunked"],
    ["content-length: 100", "content-encoding: gzip"],
  ]) {
    const first = headers[0]!.startsWith("t") ? "1\r\n[\r\n" : "\u001f";
    const { status, milliseconds } = await exchange((send) => send(head(...headers) + first));
    expect(status).toBe(408);
    expect(milliseconds).toBeGreaterThan(TIMEOUT - 50);
    expect(milliseconds).toBeLessThan(TIMEOUT + 3_000);
  }
});

test("a byte now and then does not buy more time", async () => {
  const { status, milliseconds } = await exchange(async (send) => {
    await send(head("content-length: 1000"));
    while (await send(" ")) await new Promise((resolve) => setTimeout(resolve, 20));
  });
  expect(status).toBe(408);
  expect(milliseconds).toBeLessThan(TIMEOUT + 3_000);
});

test("a content-length below the body: what is over is no part of it", async () => {
  const { status } = await exchange((send) => send(`${head("content-length: 5")}{"a":1}`));
  expect(status).toBe(400);
});

test("a content-length above the body: 408 while the connection is open, 400 or nothing once it is not", async () => {
  const short = `${head("content-length: 100")}[1]`;
  expect((await exchange((send) => send(short))).status).toBe(408);
  const ended = await exchange((send, socket) => send(short).then(() => socket.end()));
  expect([0, 400]).toContain(ended.status);
  const cut = await exchange((send, socket) => send(short).then(() => socket.resetAndDestroy()));
  expect(cut.status).toBe(0);
});

test("1 GB that is announced: 413, and hardly any of it is taken", async () => {
  await growth();
  const piece = new Uint8Array(64 * 1024);
  const { status, sent } = await exchange(async (send) => {
    await send(head("content-length: 1000000000"));
    for (let i = 0; i < 1e9 / piece.length; i++) if (!(await send(piece))) return;
  });
  expect(status).toBe(413);
  expect(sent).toBeLessThan(32 * MIB);
  expect(await growth()).toBeLessThan(64 * MIB);
});

test("1 GB that is not: 413 or closed after about the limit", async () => {
  await growth();
  const { status, sent } = await exchange(async (send) => {
    await send(head("transfer-encoding: chunked"));
    await sendChunks(send, new Uint8Array(64 * 1024).fill(32), 1e9 / 65_536);
  });
  expect([0, 413]).toContain(status);
  expect(sent).toBeLessThan(32 * MIB);
  expect(await growth()).toBeLessThan(64 * MIB);
});

test("chunks of one byte, two hundred thousand of them, cost no more than their bytes", async () => {
  await growth();
  const many = Buffer.from("1\r\n \r\n".repeat(10_000));
  const { status } = await exchange(async (send) => {
    await send(head("transfer-encoding: chunked").replace("/", "/?timeout=30000"));
    for (let i = 0; i < 20; i++) if (!(await send(many))) return;
    await send("1\r\n1\r\n0\r\n\r\n");
  });
  expect(status).toBe(200);
  expect(await growth()).toBeLessThan(64 * MIB);
});

test("a hundred small ones that come byte by byte cost no more than a few times their bytes", async () => {
  await growth();
  const slow = Array.from({ length: 100 }, () =>
    exchange(async (send, socket) => {
      socket.setNoDelay(true);
      await send(head("content-length: 4000").replace("/", "/?timeout=30000"));
      for (let n = 0; n < 400; n++) {
        if (!(await send("         "))) return;
        await new Promise((resolve) => setImmediate(resolve));
      }
      await send("1".padStart(400));
    }),
  );
  for (const { status, text } of await Promise.all(slow)) expect([status, text]).toEqual([200, "0"]);
  expect(await growth()).toBeLessThan(64 * MIB);
});

test("a gzip bomb of 1 GB", async () => {
  const bomb = await zeros(1e9);
  expect(bomb.length).toBeLessThan(1.5 * MIB);
  await growth();
  for (const times of [1, 1, 1, 1, 1]) {
    const { status } = await exchange(async (send) => {
      await send(head("transfer-encoding: chunked", "content-encoding: gzip"));
      await sendChunks(send, bomb, times);
    });
    // On a machine that has much else to do, the time for a body may be over first.
    expect([0, 408, 413]).toContain(status);
  }
  const announced = await exchange((send) =>
    send(head(`content-length: ${bomb.length}`, "content-encoding: gzip")).then(() => send(bomb)),
  );
  expect([0, 408, 413]).toContain(announced.status);
  expect(await growth()).toBeLessThan(64 * MIB);
});

async function zeros(bytes: number): Promise<Buffer> {
  const gzip = createGzip();
  const piece = new Uint8Array(MIB);
  const made: Buffer[] = [];
  gzip.on("data", (chunk: Buffer) => made.push(chunk));
  for (let left = bytes; left > 0; left -= piece.length) {
    if (!gzip.write(piece.subarray(0, Math.min(left, piece.length)))) await once(gzip, "drain");
  }
  gzip.end();
  await once(gzip, "end");
  return Buffer.concat(made);
}

test("JSON 200,000 levels deep is read, and refused when it is not closed", async () => {
  const levels = 200_000;
  const open = "[".repeat(levels);
  expect(await post(open + "]".repeat(levels))).toMatchObject({ status: 200, text: String(levels) });
  expect((await post(open)).status).toBe(400);
});

test.each([
  ["large", 2_000_000],
  ["small", 8_000],
])(
  "a hundred %s ones at a time that say nothing: all are let go, and others are served meanwhile",
  async (_, length) => {
    await growth();
    const silent = Array.from({ length: 100 }, () => exchange((send) => send(`${head(`content-length: ${length}`)}[`)));
    expect((await post("[[[]]]")).status).toBe(200);
    for (const { status } of await Promise.all(silent)) expect(status).toBe(408);
    expect(await growth()).toBeLessThan(64 * MIB);
  },
);
