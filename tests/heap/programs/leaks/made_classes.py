"""An object-relational layer that makes a class for the rows of each query, and registers it under the text of the
query, which has the values in it."""
from _steps import serve

TRUTH = {"type": "type", "holder": "the dict ROW_CLASSES of classes made at run time", "path": "ROW_CLASSES",
         "objects_each_step": 200}
ROW_CLASSES = {}


def row_class(query):
    if query not in ROW_CLASSES:
        ROW_CLASSES[query] = type("Row", (), {"__slots__": ("id", "name"), "query": query, "total": lambda row: row.id})
    return ROW_CLASSES[query]


def step(number):
    for i in range(200):
        row = row_class("select id, name from orders where id = %d" % (number * 200 + i))()
        row.id = i


if __name__ == "__main__":
    serve(step, ROW_CLASSES.clear)
