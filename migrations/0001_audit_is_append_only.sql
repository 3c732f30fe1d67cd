-- An audit entry, once written, stays as it is (design: policy, "Audit").
CREATE TRIGGER audit_entries_refuse_update
BEFORE UPDATE ON audit_entries
BEGIN
  SELECT RAISE(ABORT, 'audit entries cannot be changed');
END;
--> statement-breakpoint
-- Also what makes INSERT OR REPLACE harmless: it would delete the old row without any DELETE trigger.
CREATE TRIGGER audit_entries_ignore_repeats
BEFORE INSERT ON audit_entries
WHEN EXISTS (SELECT 1 FROM audit_entries WHERE chain = NEW.chain AND sequence = NEW.sequence)
BEGIN
  SELECT RAISE(IGNORE);
END;
--> statement-breakpoint
CREATE TRIGGER audit_entries_refuse_delete
BEFORE DELETE ON audit_entries
WHEN NOT EXISTS (SELECT 1 FROM retention WHERE chain = OLD.chain AND OLD.sequence < before_sequence)
BEGIN
  SELECT RAISE(ABORT, 'audit entries cannot be deleted');
END;
