"""The scenarios; importing a module registers its own, in the order in which they run."""

from . import restart, management, purchases, security, duplicates, holds, reversals, wire, admin

__all__ = ["restart", "management", "purchases", "security", "duplicates", "holds", "reversals", "wire", "admin"]
