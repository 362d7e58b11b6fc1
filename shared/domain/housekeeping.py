"""How long what has ended is kept, beyond the time in which it has a meaning."""

from datetime import timedelta

CODES_KEPT = timedelta(days=90)
"""After their end: so long the list of an account's enrolment codes says who came in with one."""
KEYS_KEPT = timedelta(days=30)
"""An Idempotency-Key is known for so long: nobody repeats a request after that."""
CLOCKS_DIFFER = timedelta(hours=1)
"""Between instances of the service, at most: what one of them may still take as good, no other one forgets."""
