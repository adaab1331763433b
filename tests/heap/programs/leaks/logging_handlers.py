"""A function that sets up logging each time it is called: the logger gets one more handler for each order."""
import logging
import sys

from _steps import serve

TRUTH = {"type": "logging.StreamHandler", "holder": "the handlers of the logger shop.orders", "path": "handlers",
         "objects_each_step": 500}


def logger_of_orders():
    logger = logging.getLogger("shop.orders")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger.addHandler(handler)
    return logger


def step(number):
    for i in range(500):
        logger_of_orders().debug("order %d", number * 500 + i)


if __name__ == "__main__":
    serve(step, lambda: logging.getLogger("shop.orders").handlers.clear())
