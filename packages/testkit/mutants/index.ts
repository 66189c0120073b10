// All mutants.
import { captures } from "./captures";
import { columns } from "./columns";
import { exchanges } from "./exchanges";
import type { Mutant } from "./mutant";
import { projections } from "./projections";
import { rows } from "./rows";

export const mutants: readonly Mutant[] = [...rows, ...columns, ...captures, ...exchanges, ...projections];
