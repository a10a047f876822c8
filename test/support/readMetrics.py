"""Reads a metrics file as Prometheus' own client does, and prints its samples as JSON."""
import json
import sys

from prometheus_client.parser import text_fd_to_metric_families

with open(sys.argv[1], encoding="utf-8", newline="") as file:
    families = list(text_fd_to_metric_families(file))
print(
    json.dumps(
        [
            {"name": s.name, "type": f.type, "help": f.documentation, "labels": s.labels, "value": s.value}
            for f in families
            for s in f.samples
        ]
    )
)
