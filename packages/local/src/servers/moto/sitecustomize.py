"""Python runs this before moto's server: threads change at input and output only, so that each request is atomic, as
DynamoDB's are. At the usual 5 ms two conditional writes of one item at once now and then both succeed."""

import sys

sys.setswitchinterval(1000)
