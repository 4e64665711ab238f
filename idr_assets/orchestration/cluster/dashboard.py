"""dask's dashboard, made when somebody looks."""

from typing import Any

from distributed import Scheduler
from tornado.httputil import HTTPServerRequest
from tornado.web import Application


class DashboardOnDemand(Application):
    """Makes the dashboard at the first request that no page of the scheduler answers: it takes a second to import."""

    def __init__(self, scheduler: Scheduler) -> None:
        """Stand in for the dashboard of a scheduler that was started without."""
        super().__init__()
        self.scheduler = scheduler
        scheduler.http_application.add_application(self)

    def find_handler(self, request: HTTPServerRequest, **arguments: Any) -> Any:  # noqa: ANN401  tornado's signature
        """Give the place to the dashboard, and the request with it."""
        from distributed.dashboard.scheduler import connect  # noqa: PLC0415

        application = self.scheduler.http_application
        application.applications.remove(self)
        connect(application, self.scheduler.http_server, self.scheduler)
        return application.find_handler(request, **arguments)
