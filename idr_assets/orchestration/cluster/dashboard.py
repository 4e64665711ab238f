"""The dask dashboard, created when somebody opens it."""

from typing import Any

from distributed import Scheduler
from tornado.httputil import HTTPServerRequest
from tornado.web import Application


class DashboardOnDemand(Application):
    """Creates the dashboard at the first request for it, because importing it takes a second."""

    def __init__(self, scheduler: Scheduler) -> None:
        """Take the place of the dashboard of a scheduler that was started without one."""
        super().__init__()
        self.scheduler = scheduler
        scheduler.http_application.add_application(self)

    def find_handler(self, request: HTTPServerRequest, **arguments: Any) -> Any:  # noqa: ANN401  tornado's signature
        """Replace this application by the dashboard, and pass the request on."""
        from distributed.dashboard.scheduler import connect  # noqa: PLC0415

        application = self.scheduler.http_application
        application.applications.remove(self)
        connect(application, self.scheduler.http_server, self.scheduler)
        return application.find_handler(request, **arguments)
