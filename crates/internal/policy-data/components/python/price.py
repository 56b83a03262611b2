"""A price: what a feed on the chain has, and what a web service has."""

import json

from componentize_py_types import Err
from wit_world import WitWorld as Base
from wit_world.imports import chain, http

# `latestRoundData()`, whose second word is the price.
LATEST_ROUND_DATA = "0xfeaf968c"


class WitWorld(Base):
    def observe(self, request: str) -> str:
        parameters = json.loads(request).get("params", {})
        output = {}
        if "feed" in parameters:
            output["chain"] = on_chain(parameters["feed"])
        if "url" in parameters:
            output["web"] = on_web(parameters["url"])
        return json.dumps(output)


def on_chain(feed: str) -> str:
    data = chain.call(feed, LATEST_ROUND_DATA)
    if len(data) < 130:
        raise Err("the feed's answer is too short")
    return str(int(data[66:130], 16))


def on_web(url: str) -> str:
    authorization = http.Header("authorization", "Bearer {{secret:PRICE_KEY}}")
    response = http.send(http.Request(http.Method.GET, url, [authorization], None))
    if response.status != 200:
        raise Err(f"status {response.status}")
    return json.loads(response.body)["price"]
