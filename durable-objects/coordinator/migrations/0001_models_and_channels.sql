CREATE TABLE `delivery_memory` (
	`id` text PRIMARY KEY NOT NULL,
	`reference` text NOT NULL,
	`at` integer NOT NULL
);
