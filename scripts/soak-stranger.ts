// The stranger of `npm run stranger` with everything from the registry, as on the day of a release.
import { readTable, run, writeTable } from "./soak-run";

const STRANGER = "| commit | database | commands |";

export async function soakStranger(commit: string): Promise<boolean> {
  console.log("A stranger's folder, everything installed from the registry.");
  const { code, output } = await run(["--import", "tsx", "scripts/stranger.ts", "--install"], {}, true);
  const told = /^✓ (\w+): (\d+) commands and (\d+) lines, two nodes agree after ([\d.]+) s/gm;
  const rows = [...output.matchAll(told)].map(([, ...cells]) => [commit, ...cells, code === 0 ? 0 : "failed"]);
  const failed = rows.length === 0 ? [[commit, "?", "?", "?", "?", "failed"]] : [];
  writeTable(STRANGER, [...readTable(STRANGER), ...rows, ...failed]);
  return code === 0;
}
