"""This node's figures of files, in the format of Prometheus."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, Metric

from chat.files.uploads import Uploads


def tell_figures(uploads: Uploads) -> Iterator[Metric]:
    """One family after the other."""
    pictures = uploads.pictures
    yield CounterMetricFamily("tandem_files", "Files sent up to their end.", value=uploads.finished)
    yield CounterMetricFamily("tandem_files_received_bytes", "Bytes of files taken in.", value=uploads.received)
    yield CounterMetricFamily("tandem_files_sent_bytes", "Bytes of files sent out.", value=uploads.sent)
    family = CounterMetricFamily("tandem_pictures", "Pictures that were looked at.", labels=["outcome"])
    family.add_metric(["shown"], pictures.looked)
    family.add_metric(["unreadable"], pictures.failed)
    yield family
