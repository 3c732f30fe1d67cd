CREATE TABLE `agents` (
	`organisation` text NOT NULL,
	`project` text NOT NULL,
	`id` text NOT NULL,
	`kind` text NOT NULL,
	`state` text,
	`outcome` text,
	`updated_at` integer NOT NULL,
	`ended_at` integer,
	PRIMARY KEY(`organisation`, `project`, `id`)
);
--> statement-breakpoint
CREATE TABLE `audit_entries` (
	`chain` text NOT NULL,
	`sequence` integer NOT NULL,
	`hash` text NOT NULL,
	`text` text NOT NULL,
	`at` text NOT NULL,
	`actor` text NOT NULL,
	`action` text NOT NULL,
	`subject` text NOT NULL,
	PRIMARY KEY(`chain`, `sequence`)
);
--> statement-breakpoint
CREATE INDEX `audit_by_time` ON `audit_entries` (`chain`,`at`);--> statement-breakpoint
CREATE TABLE `conversations` (
	`key` text PRIMARY KEY NOT NULL,
	`organisation` text NOT NULL,
	`project` text,
	`revision` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `projects` (
	`organisation` text NOT NULL,
	`name` text NOT NULL,
	`repository` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`organisation`, `name`)
);
--> statement-breakpoint
CREATE TABLE `retention` (
	`chain` text PRIMARY KEY NOT NULL,
	`before_sequence` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `tasks` (
	`organisation` text NOT NULL,
	`project` text NOT NULL,
	`id` text NOT NULL,
	`status` text NOT NULL,
	`instruction` text NOT NULL,
	`requested_by` text NOT NULL,
	`outcome` text,
	`pull_request_url` text,
	`created_at` integer NOT NULL,
	`ended_at` integer,
	PRIMARY KEY(`organisation`, `project`, `id`)
);
--> statement-breakpoint
CREATE TABLE `workspaces` (
	`channel` text NOT NULL,
	`workspace` text NOT NULL,
	`organisation` text NOT NULL,
	PRIMARY KEY(`channel`, `workspace`)
);
