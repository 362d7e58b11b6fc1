"""Incidents, by customer and in the order of their opening."""

from shared.domain.incidents import Incident
from shared.storage.mapping import Mapper

INCIDENTS = Mapper("incidents", Incident, key=lambda incident: (incident.customer, incident.id))
