CREATE TABLE `tenant_acme_documents` (
	`id` text PRIMARY KEY NOT NULL,
	`title` text NOT NULL,
	`view_count` integer DEFAULT 0 NOT NULL,
	`tags` text DEFAULT '[]' NOT NULL
);
--> statement-breakpoint
CREATE TABLE `tenant_globex_documents` (
	`id` text PRIMARY KEY NOT NULL,
	`title` text NOT NULL,
	`view_count` integer DEFAULT 0 NOT NULL,
	`tags` text DEFAULT '[]' NOT NULL
);
