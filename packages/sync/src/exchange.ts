// One exchange with one peer: pull until nothing is left, then push until nothing is left; or a half of it.
import type { GroveError } from "@grove-crdt/core";
import type { ExchangeOptions, Link } from "./link";
import { pull } from "./pull";
import { push } from "./push";
import { emptyReport, type PeerReport } from "./report";

/** Who is there, or what it syncs with us, is no more what we knew. */
export const isStale = ({ code }: GroveError): boolean => code === "wrong_node" || code === "unknown_table";

type Half = (link: Link, options: ExchangeOptions, report: PeerReport) => Promise<GroveError | null>;

/** Runs parts of an exchange; an error ends it and stands in the report. Whatever was acknowledged before stays so. */
export async function exchange(
  link: Link,
  options: ExchangeOptions,
  halves: readonly Half[] = [pull, push],
): Promise<PeerReport> {
  const report = emptyReport(link.url);
  try {
    await link.meet(options);
    report.peer = link.known;
    for (const half of halves) {
      let refusal = await half(link, options, report);
      // Our own clock may have been wrong, and be right by now.
      if (refusal?.code === "clock_drift" && (await link.node.restamp(link.theirNow)) > 0)
        refusal = await half(link, options, report);
      report.error ??= refusal;
    }
  } catch (error) {
    report.error = link.error(error);
    if (isStale(report.error)) link.forget();
  }
  await link.remember(report);
  return report;
}
