"""The composition root: settings make services, services make functions."""

import activities.housekeeping
import activities.seeding
import triggers.api
import triggers.timers
from orchestrators.housekeeping import keep_house
from orchestrators.seeding import seed_device
from shared.contracts import housekeeping, seeding
from shared.durable.register import Blueprint, DFApp, orchestrates
from shared.services import Services
from shared.settings import Settings

services = Services(Settings())  # pyright: ignore[reportCallIssue] -- the environment fills it

workflows = Blueprint()
orchestrates(workflows, seeding.seed_device, seed_device)
orchestrates(workflows, housekeeping.keep_house, keep_house)

app = DFApp()
app.register_functions(triggers.api.blueprint(services))
app.register_functions(activities.seeding.blueprint(services))
app.register_functions(activities.housekeeping.blueprint(services))
app.register_functions(triggers.timers.blueprint())
app.register_functions(workflows)
