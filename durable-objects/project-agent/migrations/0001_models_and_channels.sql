CREATE TABLE `reservations` (
	`task` text NOT NULL,
	`attempt` integer NOT NULL,
	`call` text NOT NULL,
	`usd` real NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`task`, `attempt`, `call`)
);
--> statement-breakpoint
CREATE TABLE `spends` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`task` text NOT NULL,
	`identity` text NOT NULL,
	`person` text NOT NULL,
	`model` text NOT NULL,
	`purpose` text NOT NULL,
	`usage` text NOT NULL,
	`tokens` integer NOT NULL,
	`cost_usd` real NOT NULL,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `spends_by_time` ON `spends` (`at`);--> statement-breakpoint
CREATE INDEX `spends_by_task` ON `spends` (`task`);--> statement-breakpoint
CREATE TABLE `delivery_memory` (
	`id` text PRIMARY KEY NOT NULL,
	`reference` text NOT NULL,
	`at` integer NOT NULL
);
