// The range of goods, with what was delivered of each.
import type { products } from "./schema";

export const goods: (typeof products.$inferInsert & { readonly stock: number })[] = [
  { id: "bread", name: "Bread", price: 380, colour: "#b9722e", stock: 40 },
  { id: "butter", name: "Butter", price: 290, colour: "#d9a514", stock: 30 },
  { id: "coffee", name: "Coffee", price: 720, colour: "#6b4a36", stock: 25 },
  { id: "honey", name: "Honey", price: 650, colour: "#c8871a", stock: 12 },
  { id: "jam", name: "Plum jam", price: 420, colour: "#7b3f6e", stock: 18 },
  { id: "tea", name: "Green tea", price: 540, colour: "#4f7a4a", stock: 20 },
];
