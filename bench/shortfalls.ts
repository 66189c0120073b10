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
    "the captured insert, reading the log with both joins, and the shadow's insert with its share of the commits are 3.1 times the floor by their statements alone. A pass takes 1,000 rows, which bounds memory and how long the event loop is held; with 5,000 the commits were fewer, and the ratio 4.34. Of the processor's time less than a tenth is JavaScript.",
  "capture-commit.sqlite":
    "the log's last page goes into the WAL beside the row's own. A plain program that writes one further row to another table in the same transaction pays 1.43 times.",
  "adopt.postgres":
    "the floor's rows have one column and one index, a shadow's nine and two: a chunk of 5,000 rows takes 23 ms, however many came before.",
  "hub-p99.postgres":
    "a push of one row takes three to four milliseconds of the hub's one thread (`hub-cpu.postgres`), so one process is full at some 260 to 320 a second: a merge is eight statements, and each crosses the socket. It merges one push at a time; several hubs may serve one Postgres.",
  "capture-commit.postgres":
    "a plain program that writes one further row by the same statement pays 1.17 times, a trigger that logs constants 1.10 to 1.18. The rest is comparing the old row with the new one, so that only changed columns are logged, and the trigger function's own search path, without which a writer could put its operators in place of ours (least of eight rounds: 1.32 with it, 1.20 without).",
  "capture-update.sqlite":
    "four fifths of what the trigger adds are the log's row itself: with a trigger that only writes constants there the update takes 1.31 times as long, with ours 1.39 (processor time, least of twelve rounds), and in a plain program that writes such a row by a statement of its own 1.39 as well. On the clock the commit comes on top, with 2,580 pages for the WAL instead of 1,865.",
  "fold-documents.sqlite":
    "the captured insert, reading the log with both joins, and the inserts of the shadow's row and of two tags with their commits are 3.9 times the floor by their statements alone (processor time). A plain program that only writes such a row and two such tags beside each document pays 2.5 times.",
  "pull-scaling.sqlite":
    "the statement that reads the 100 rows takes 8.3 µs a row in the large table and 4.1 in the small one; all else takes as long in both. Its trees are deeper and lie all over the memory: a page cache that holds the whole file changes nothing. A plain program that reads its 100 changes by an index over a number of its own pays 1.7 to 2.0 times.",
  "adopt.sqlite":
    "the floor's rows have one column and stand in two trees, a shadow's nine and in three: one statement that inserts such rows, their numbers at hand, takes 1.5 times the floor, and 2.2 times where it numbers them as well (processor time). The rest are the commits, one for each 5,000 rows, so that others have their turn and an adoption can be interrupted.",
  "shadow-bytes.sqlite":
    "a key of 36 characters stands in the shadow and in its index, which are 74 of the 128 bytes. A plain program that keeps key, stamp, writer and number of each row, with an index over the numbers, pays 120; with keys of 16 bytes the shadow takes 86.",
  "shadow-bytes-worn.sqlite":
    "of 338 bytes 181 are the stamps of the five columns, JSON with the column's name and the time in sixteen digits, and 24 are room in pages that were split as they grew. A plain program with three integers for each column pays 184 for a row, and from its first write on, when the shadow takes 128.",
  "event-loop-edge.sqlite":
    "a page of 1,000 rows is one transaction, and at 200,000 rows its COMMIT is 38 of 61 ms: under random keys each row dirties a leaf of the key's index in the table and one in the shadow, 2,050 pages in all, and from 1,000 on SQLite moves its WAL into the file at once. A plain program that inserts such pages dirties 1,030 and is held up for 28 ms, 22 of them the COMMIT. Transactions of 500 or 250 rows take less each, yet no less at the 99th percentile, for more of them wait for the disk.",
  "memory-edge.postgres":
    "73 MiB is the process before its first page, 46 of them Node's own code. What is in use then is 15 MiB of objects after each full collection, 4 of buffers; the rest is garbage that V8 lets lie, to run less often: a page is merged by statements that are waited for, so what is collected meanwhile finds the page in use and moves it to the old generation. With 100,000 rows the same edge takes 137 to 140 MiB under `--max-semi-space-size=4`, and 94 under `--optimize-for-size`, at twice the processor time.",
  "memory-hub.postgres":
    "as at the edge, 73 MiB is the process before its first page, and 14 of objects are in use after each full collection. A pass of the fold holds its rows while the database works; with passes of 2,000 rows in place of 10,000, 100,000 rows took 132 to 155 MiB in place of 171 to 186, with `--max-semi-space-size=4` besides 128, with `--optimize-for-size` 85.",
  "capture-update.postgres":
    "of what the trigger adds, the log's rows with their index are most: they write half as much WAL again as the update alone. By processor time the update takes 1.6 times as long with our trigger, 1.06 with one that only joins the old rows with the new, and 1.34 with one that only logs the keys of the new rows; a plain program that updates and logs the keys in one statement pays 1.5.",
  "fold-lww.postgres":
    "a plain program that logs the row's key by a trigger, takes it out again and writes a shadow row with two indexes, all within the server, pays 1.9 to 2.1 times the floor's processor time. Ours takes the server 2.4 times, since keys and shadow rows cross the socket and log and shadow hold more columns, and node, which reads the log and decides, 1.8 times besides. Where nothing else runs, node decides a slice while the server writes the one before.",
  "merge-known.postgres":
    "the goal is less than a comparison costs: a plain program that parses the page, reads shadow and values of its keys by one statement and compares them takes 0.8 times the floor on the clock, and as much processor time as it. Ours also locks the rows and reads shadow and values apart, which takes the server 1.2 times what the upsert does; seven tenths of its processor time are node's, a third of that garbage, a fifth the socket, a sixth the decision row by row.",
  "serve-page.postgres":
    "the floor hands six columns of one table to JavaScript, a page sixteen of two; a plain program that reads those in the order of their numbers and makes them into the same text pays 2.0 times. Of our processor time the server has a quarter, four times the floor's; of node's part the socket takes a sixth, garbage a seventh, and the page's text and the measuring of its length a tenth each.",
};
