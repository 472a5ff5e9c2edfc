"""Mail that comes in: `receiving` takes it, `deciding` says who wrote and whether they may, `reading` what (MSG-07)."""
