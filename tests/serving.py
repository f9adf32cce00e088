"""Web server of the site in a thread of the test, for applications that are not the site."""

from contextlib import contextmanager
from threading import Event, Thread

from waitress.adjustments import Adjustments
from waitress.task import ThreadedTaskDispatcher

from survey_app.operations import connections
from survey_app.operations.connections import BoundedServer
from survey_app.operations.watched_sockets import Sockets


def hello(_environ, start_response):
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]


@contextmanager
def serving(application, *, largest_body=lambda *_: 2**30, threads=2, sockets_class=Sockets):
    """Serve an application as the site is served; yields where."""
    sockets, is_over = sockets_class(), Event()
    dispatcher = ThreadedTaskDispatcher()
    dispatcher.set_thread_count(threads)
    adjustments = Adjustments(
        listen="127.0.0.1:0", cleanup_interval=0, max_request_header_size=connections.LARGEST_HEAD
    )
    server = BoundedServer(
        application, sockets, dispatcher=dispatcher, adj=adjustments, sockinfo=adjustments.listen[0],
        largest_body=largest_body,
    )  # fmt: skip

    def run():
        while not is_over.is_set():
            sockets.handle_events(0.05)

    thread = Thread(target=run)
    thread.start()
    try:
        yield ("127.0.0.1", int(server.effective_port))
    finally:
        is_over.set()
        thread.join()
        dispatcher.shutdown(timeout=10)
        sockets.close()
