export * from "./claim";
export * from "./decision";
export * from "./link";
export * from "./move";
export * from "./projection";
export * from "./query";
export * from "./standing";
