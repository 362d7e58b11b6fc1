"""The composition root: settings make services, services make functions."""

import activities.housekeeping
import activities.inspections
import activities.seeding
import activities.sweep
import triggers.api
import triggers.timers
from orchestrators.housekeeping import keep_house
from orchestrators.inspections import inspect_account, inspect_all
from orchestrators.seeding import seed_device
from orchestrators.sweep import sweep_account, sweep_all
from shared.contracts import housekeeping, inspections, seeding, sweep
from shared.durable.register import Blueprint, DFApp, orchestrates
from shared.services import Services
from shared.settings import Settings

services = Services(Settings())  # pyright: ignore[reportCallIssue] -- the environment fills it

workflows = Blueprint()
orchestrates(workflows, seeding.seed_device, seed_device)
orchestrates(workflows, housekeeping.keep_house, keep_house)
orchestrates(workflows, sweep.sweep_all, sweep_all)
orchestrates(workflows, sweep.sweep_account, sweep_account)
orchestrates(workflows, inspections.inspect_all, inspect_all)
orchestrates(workflows, inspections.inspect_account, inspect_account)

app = DFApp()
app.register_functions(triggers.api.blueprint(services))
app.register_functions(triggers.timers.blueprint(services))
app.register_functions(activities.seeding.blueprint(services))
app.register_functions(activities.sweep.blueprint(services))
app.register_functions(activities.inspections.blueprint(services))
app.register_functions(activities.housekeeping.blueprint(services))
app.register_functions(workflows)
