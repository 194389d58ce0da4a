"""What schemathesis does for the tests beyond its settings."""

import schemathesis


def spelled(values):
    """An integer in a path or query has one spelling; 2.0, which is one in JSON, is taken over from bodies."""
    return {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in (values or {}).items()
    }


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    return spelled(path_parameters)


@schemathesis.hook
def map_query(context, query):
    return spelled(query)
