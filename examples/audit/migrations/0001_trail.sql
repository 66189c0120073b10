-- A line for every change of an article, in the transaction that makes it: the application's, another program's, or a merge's.
CREATE TRIGGER articles_trail_insert AFTER INSERT ON articles BEGIN
  INSERT INTO trail (at, what, pk, "after")
  VALUES (
    CAST(unixepoch('subsec') * 1000 AS INTEGER), 'changed', NEW.id,
    json_object('name', NEW.name, 'price', NEW.price, 'stock', NEW.stock)
  );
END;
--> statement-breakpoint
CREATE TRIGGER articles_trail_update AFTER UPDATE ON articles
WHEN OLD.name IS NOT NEW.name OR OLD.price IS NOT NEW.price OR OLD.stock IS NOT NEW.stock BEGIN
  INSERT INTO trail (at, what, pk, "before", "after")
  VALUES (
    CAST(unixepoch('subsec') * 1000 AS INTEGER), 'changed', NEW.id,
    json_object('name', OLD.name, 'price', OLD.price, 'stock', OLD.stock),
    json_object('name', NEW.name, 'price', NEW.price, 'stock', NEW.stock)
  );
END;
--> statement-breakpoint
CREATE TRIGGER articles_trail_delete AFTER DELETE ON articles BEGIN
  INSERT INTO trail (at, what, pk, "before")
  VALUES (
    CAST(unixepoch('subsec') * 1000 AS INTEGER), 'changed', OLD.id,
    json_object('name', OLD.name, 'price', OLD.price, 'stock', OLD.stock)
  );
END;
