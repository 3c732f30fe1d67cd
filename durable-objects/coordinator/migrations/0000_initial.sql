CREATE TABLE `accounts` (
	`key` text PRIMARY KEY NOT NULL,
	`channel` text NOT NULL,
	`account` text NOT NULL,
	`identity` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `accounts_by_identity` ON `accounts` (`identity`);--> statement-breakpoint
CREATE TABLE `claim_codes` (
	`hash` text PRIMARY KEY NOT NULL,
	`expires_at` integer NOT NULL,
	`used_at` integer
);
--> statement-breakpoint
CREATE TABLE `conversations` (
	`key` text PRIMARY KEY NOT NULL,
	`channel` text NOT NULL,
	`workspace` text NOT NULL,
	`conversation` text NOT NULL,
	`project` text,
	`revision` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `conversations_by_project` ON `conversations` (`project`);--> statement-breakpoint
CREATE TABLE `former_projects` (
	`conversation` text NOT NULL,
	`project` text NOT NULL,
	`until` integer NOT NULL,
	PRIMARY KEY(`conversation`, `project`)
);
--> statement-breakpoint
CREATE TABLE `identities` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `performed` (
	`key` text PRIMARY KEY NOT NULL,
	`result` text NOT NULL,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `projects` (
	`name` text PRIMARY KEY NOT NULL,
	`owner` text NOT NULL,
	`repository` text NOT NULL,
	`autonomy` integer NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `roles` (
	`identity` text NOT NULL,
	`project` text NOT NULL,
	`role` text NOT NULL,
	PRIMARY KEY(`identity`, `project`)
);
--> statement-breakpoint
CREATE TABLE `workspaces` (
	`channel` text NOT NULL,
	`workspace` text NOT NULL,
	`claimed_at` integer NOT NULL,
	PRIMARY KEY(`channel`, `workspace`)
);
--> statement-breakpoint
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