// One exchange with one peer: pull until nothing is left, then push until nothing is left; or a half of it.
import { type GroveError, isGroveError } from "@grove-crdt/core";
import { give, isUnderWay, noteTaken, type Talk, talk, worthGiving } from "./collecting";
import type { ExchangeOptions, Link } from "./link";
import { pull } from "./pull";
import { push } from "./push";
import { emptyReport, type PeerReport } from "./report";

/** Who is there, or what it syncs with us, is no more what we knew. A copy that was refused has another name when it is back. */
export const isStale = ({ code }: GroveError): boolean =>
  code === "wrong_node" || code === "unknown_table" || code === "forked";

type Half = (
  link: Link,
  options: ExchangeOptions,
  report: PeerReport,
  between?: () => Promise<void>,
) => Promise<GroveError | null>;

async function pushMeanwhile(link: Link, options: ExchangeOptions, report: PeerReport): Promise<void> {
  report.error ??= await push(link, options, report);
}

async function inTurn(
  link: Link,
  options: ExchangeOptions,
  halves: readonly Half[],
  report: PeerReport,
  before: Talk | null,
): Promise<void> {
  for (const half of halves) {
    const giving = before && half === push ? await worthGiving(link, options) : null;
    // What is written here does not wait for the end of a long pull.
    const between = half === pull && halves.includes(push) ? () => pushMeanwhile(link, options, report) : undefined;
    let refusal = await half(link, options, report, between);
    // Our own clock may have been wrong, and be right by now.
    if (refusal?.code === "clock_drift" && (await link.node.restamp(link.theirNow)) > 0)
      refusal = await half(link, options, report);
    report.error ??= refusal;
    if (refusal || !before) continue;
    if (half === pull) await noteTaken(link, options, before);
    if (giving) await give(link, options, giving);
  }
}

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
    const before = (await isUnderWay(link, options)) ? await talk(link, options) : null;
    try {
      await inTurn(link, options, halves, report, before);
    } catch (error) {
      if (!isGroveError(error) || error.code !== "not_collected") throw error;
      // The peer has forgotten what this node has not, or the other way round: whoever is behind catches up.
      await inTurn(link, options, halves, report, await talk(link, options));
    }
  } catch (error) {
    report.error = link.error(error);
    if (isStale(report.error)) link.forget();
  }
  await link.remember(report);
  return report;
}
