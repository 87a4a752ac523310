"""Who is asking and what they may do: identity, permissions and policies, without knowing how anybody signed in."""

from jiki_core.security.cross_site import is_cross_site
from jiki_core.security.identity import Identity, become, current_identity, me
from jiki_core.security.permissions import Permission, Role
from jiki_core.security.policies import Policy, SignatureVerifier, public, requires, signature, signed_in
from jiki_core.security.sealing import SealBroken, SealingKeys

__all__ = [
    "Identity",
    "Permission",
    "Policy",
    "Role",
    "SealBroken",
    "SealingKeys",
    "SignatureVerifier",
    "become",
    "current_identity",
    "is_cross_site",
    "me",
    "public",
    "requires",
    "signature",
    "signed_in",
]
