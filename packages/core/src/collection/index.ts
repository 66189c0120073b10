// Collection: forgetting what every node knows to be dead. Pure; stores and syncers carry it out.
export * from "./collect";
export * from "./rejoin";
export * from "./round";
