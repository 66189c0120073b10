// Why a goal is missed, by the id of its case: what a profile says. bench/RESULTS.md prints those of cases that miss their goal.

export const shortfalls: Readonly<Record<string, string>> = {
  "merge-page.sqlite":
    "of a row's time two thirds are statements that have to run: the look for its key in shadow and table, the insert into the table, which takes a third longer where the table has a trigger, switched off or not, and the insert into the shadow with two indexes. With parsing they alone are 1.85 times the floor (processor time, least of several rounds).",
  "merge-page.postgres":
    "the statement that writes both tables takes 10 of the server's 20 ms a page where the floor's takes 4: the base rows, the shadow's and its two indexes, with their WAL. In the node's process each key crosses the socket three times: to lock, to read, to insert.",
  "merge-known.sqlite":
    "parsing takes half of what the goal leaves. The row's shadow and its values are both read, since equal stamps may hold different values (adopted rows, copied databases); by one statement each row that alone is the goal. A sum over a whole page could say it in one look, and is not built.",
  "serve-page.sqlite":
    "the floor hands seven columns of one table to JavaScript, a page seventeen of two. The walk through the trees is the smaller part of that.",
  "fold-lww.sqlite":
    "the captured insert, reading the log with both joins, and the shadow's insert with its share of the commits are 3.1 times the floor by their statements alone.",
  "capture-commit.sqlite":
    "the log's last page goes into the WAL beside the row's own. A plain program that writes one further row to another table in the same transaction pays 1.43 times.",
  "adopt.postgres":
    "each chunk of 5,000 rows joined with the whole shadow as it was by then: the server's log shows 17 ms for the first chunk and 46 ms for the sixtieth. Mended in the commit after this run: the insert itself looks for what is there, every chunk takes 23 ms, and 300,000 rows take 2.04 times the floor.",
  "hub-p99.postgres":
    "a push of one row takes three milliseconds of the hub's one thread (`hub-cpu.postgres`), so one process is full at some 320 a second: a merge is eight statements, and each crosses the socket. It merges one push at a time; several hubs may serve one Postgres.",
};
