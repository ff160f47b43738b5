"""Who may do what, decided and recorded: sessions, device proof, the policy table, the audit record.

Every request passes one seam: subject → decision → recorded. A route that names no action is refused.
"""
