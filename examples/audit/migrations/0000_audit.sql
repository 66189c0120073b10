CREATE TABLE `articles` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`price` integer NOT NULL,
	`stock` integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE `trail` (
	`id` integer PRIMARY KEY NOT NULL,
	`at` integer NOT NULL,
	`what` text NOT NULL,
	`pk` text,
	`field` text,
	`node` text,
	`hlc` integer,
	`principal` text,
	`before` text,
	`after` text,
	`note` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `trail_change` ON `trail` (`what`,`pk`,`field`,`node`,`hlc`);