"""The composition root: settings make services, services make functions."""

import activities.seeding
import triggers.api
from orchestrators.seeding import seed_device
from shared.contracts import seeding
from shared.durable.register import Blueprint, DFApp, orchestrates
from shared.services import Services
from shared.settings import Settings

services = Services(Settings())  # pyright: ignore[reportCallIssue] -- the environment fills it

workflows = Blueprint()
orchestrates(workflows, seeding.seed_device, seed_device)

app = DFApp()
app.register_functions(triggers.api.blueprint(services))
app.register_functions(activities.seeding.blueprint(services))
app.register_functions(workflows)
