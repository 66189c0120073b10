// Limits of a body, and what holds when nobody has set a limit.
import { gzipSync } from "node:zlib";
import { bearerTokens } from "grove-crdt";
import { describe, expect, test, vi } from "vitest";
import { headersOf } from "./support/callers";
import { describeOn } from "./support/dialects";
import { ANN, limited, nested, STAMP } from "./support/limits";
import { errorOf, pushMessage } from "./support/network";

describeOn("sqlite", "limits of a body", ({ openNode }) => {
  const row = { table: "documents", pk: ["d"], cl: 1, life: [STAMP, "stranger"], lww: { title: ["t"], body: [""] } };
  const post = (
    app: ReturnType<typeof limited>,
    body: string | Uint8Array | ReadableStream<Uint8Array>,
    headers: Record<string, string> = {},
  ) =>
    app.request(
      new Request("http://hub/push", {
        method: "POST",
        headers: { ...headersOf(ANN), ...headers },
        body,
        duplex: "half",
      } as RequestInit),
    );
  const gzipped = { "content-encoding": "gzip" };
  /** So many bytes of the same valid push. */
  const padded = (bytes: number) => {
    const text = JSON.stringify(pushMessage([row]));
    return " ".repeat(bytes - text.length) + text;
  };
  const silent = () => new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(Buffer.from("{")) });

  test("one of exactly the most bytes is taken, one byte more is not", async () => {
    const app = limited(await openNode("hub"), { body: 2_000 });
    expect((await post(app, padded(2_000))).status).toBe(200);
    expect(await errorOf(await post(app, padded(2_001)))).toEqual([413, "payload_too_large"]);
    // Whatever it says of its length.
    expect(await errorOf(await post(app, padded(2_001), { "content-length": "5" }))).toEqual([
      413,
      "payload_too_large",
    ]);
  });

  test("a compressed one is taken by what it is once inflated, and a bomb is not", async () => {
    const app = limited(await openNode("hub"), { body: 5_000, inflated: 20_000 });
    expect((await post(app, gzipSync(padded(20_000)), gzipped)).status).toBe(200);
    expect(await errorOf(await post(app, gzipSync(padded(20_001)), gzipped))).toEqual([413, "payload_too_large"]);
    const bomb = gzipSync(Buffer.alloc(4_000_000, 32));
    expect(bomb.length).toBeLessThan(5_000);
    expect(await errorOf(await post(app, bomb, gzipped))).toEqual([413, "payload_too_large"]);
    expect(await errorOf(await post(app, "no gzip", gzipped))).toEqual([400, "bad_request"]);
  });

  test("one that does not arrive in time is refused", async () => {
    const app = limited(await openNode("hub"), { bodyTimeout: 50 });
    expect(await errorOf(await post(app, silent()))).toEqual([408, "timeout"]);
    expect(await errorOf(await post(app, silent(), gzipped))).toEqual([408, "timeout"]);
  });

  test("a number beyond all measure is refused, its row alone where it stands in one: infinity has no canonical text", async () => {
    const app = limited(await openNode("hub"));
    for (const number of ["1e400", "-1E+400", `${"9".repeat(310)}`, `${"9".repeat(300)}e9`]) {
      const text = JSON.stringify(pushMessage([{ ...row, lww: { ...row.lww, later: [["NUMBER"]] } }]));
      const pushed = await post(app, text.replace('"NUMBER"', number));
      expect(await pushed.json()).toMatchObject({ outcomes: [{ outcome: "rejected", code: "bad_change" }] });
      const query = new URLSearchParams({
        protocol: "1",
        node: "n-ann",
        only: `{"documents":{"keys":[[[${number}]]]}}`,
      });
      const asked = await app.request(`/stream?${query}`, { headers: headersOf(ANN) });
      expect(await errorOf(asked)).toEqual([400, "bad_request"]);
      // As a text it is one.
      expect((await post(app, text.replace("NUMBER", number))).status).toBe(200);
    }
  });

  describe("when nobody has set any", () => {
    test("bytes: 8 MiB, inflated 32 MiB", async () => {
      const app = limited(await openNode("hub"));
      const mib = 1024 * 1024;
      expect((await post(app, padded(8 * mib))).status).toBe(200);
      expect((await post(app, padded(8 * mib + 1))).status).toBe(413);
      expect((await post(app, gzipSync(padded(32 * mib)), gzipped)).status).toBe(200);
      expect((await post(app, gzipSync(padded(32 * mib + 1)), gzipped)).status).toBe(413);
    });

    test("time: 30 seconds", async () => {
      const app = limited(await openNode("hub"));
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      try {
        let status = 0;
        const asked = Promise.resolve(post(app, silent())).then((response) => {
          status = response.status;
        });
        await vi.advanceTimersByTimeAsync(29_900);
        expect(status).toBe(0);
        await vi.advanceTimersByTimeAsync(200);
        await asked;
        expect(status).toBe(408);
      } finally {
        vi.useRealTimers();
      }
    });

    test("rows, values and depth: 10,000 rows, 8 MiB, 1,000 levels", async () => {
      const app = limited(await openNode("hub"));
      expect((await post(app, JSON.stringify(pushMessage(Array(10_001).fill(null))))).status).toBe(413);
      const large = { ...row, pk: ["large"], lww: { title: ["x".repeat(8 * 1024 * 1024)], body: [""] } };
      const deep = { ...row, pk: ["deep"], lww: { ...row.lww, later: [nested(1_001)] } };
      const response = await post(app, gzipSync(JSON.stringify(pushMessage([large, deep, row]))), gzipped);
      const { outcomes } = (await response.json()) as { outcomes: { outcome: string; code?: string }[] };
      expect(outcomes.map(({ outcome, code }) => code ?? outcome)).toEqual([
        "payload_too_large",
        "bad_change",
        "applied",
      ]);
    });

    test("streams: 100; requests: 1,000 at once", async () => {
      const app = limited(await openNode("hub"), {}, {
        authenticate: bearerTokens({ "0123456789abcdef": ANN }),
        now: () => 0,
      } as never);
      const headers = { authorization: "Bearer 0123456789abcdef" };
      const follow = () => Promise.resolve(app.request("/stream?protocol=1&node=n-ann", { headers }));
      const open = await Promise.all(Array.from({ length: 100 }, follow));
      expect(open.filter(({ status }) => status === 200).length).toBe(100);
      expect(await errorOf(await follow())).toEqual([429, "rate_limited"]);
      for (const { body } of open) await body?.cancel();
      for (let n = 0; n < 899; n++) expect((await app.request("/nowhere", { headers })).status).toBe(404);
      expect((await app.request("/nowhere", { headers })).status).toBe(429);
    });
  });
});
