CREATE TABLE `agents` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`state` text,
	`outcome` text,
	`ended_at` integer,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `tasks` (
	`id` text PRIMARY KEY NOT NULL,
	`status` text NOT NULL,
	`spec` text NOT NULL,
	`reply_id` text NOT NULL,
	`in_reply_to` text NOT NULL,
	`target` text NOT NULL,
	`decision_sequence` integer NOT NULL,
	`attempt` integer NOT NULL,
	`reported` integer NOT NULL,
	`progress` text NOT NULL,
	`outcome` text,
	`pull_request_number` integer,
	`pull_request_url` text,
	`summary` text,
	`created_at` integer NOT NULL,
	`started_at` integer,
	`ended_at` integer
);
--> statement-breakpoint
CREATE INDEX `tasks_by_status` ON `tasks` (`status`,`created_at`);--> statement-breakpoint
CREATE TABLE `audit` (
	`sequence` integer PRIMARY KEY NOT NULL,
	`hash` text NOT NULL,
	`text` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `copies` (
	`key` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`id` text NOT NULL,
	`changes` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `deadlines` (
	`name` text PRIMARY KEY NOT NULL,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `facts` (
	`name` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `inbox` (
	`sequence` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`key` text NOT NULL,
	`message` text NOT NULL,
	`state` text NOT NULL,
	`accepted_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `inbox_key_unique` ON `inbox` (`key`);--> statement-breakpoint
CREATE INDEX `inbox_unfinished` ON `inbox` (`sequence`) WHERE "inbox"."state" != 'done';--> statement-breakpoint
CREATE TABLE `outbox` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`ok` integer NOT NULL,
	`target` text NOT NULL,
	`in_reply_to` text NOT NULL,
	`blocks` text NOT NULL,
	`revision` integer NOT NULL,
	`delivered_revision` integer NOT NULL,
	`failures` integer NOT NULL,
	`next_attempt_at` integer NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `outbox_pending` ON `outbox` (`next_attempt_at`) WHERE "outbox"."delivered_revision" < "outbox"."revision";