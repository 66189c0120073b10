// Run before each test file. Files of one worker share their modules, so what is to happen for each of them stands here.
import { closePostgres } from "./postgres";

closePostgres();
