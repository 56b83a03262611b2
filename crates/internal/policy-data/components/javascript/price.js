// A price: what a feed on the chain has, and what a web service has.
import { call } from "assent:policy-data/chain@1.0.0";
import { send } from "assent:policy-data/http@1.0.0";

/// `latestRoundData()`, whose second word is the price.
const LATEST_ROUND_DATA = "0xfeaf968c";

export function observe(request) {
  const { params = {} } = JSON.parse(request);
  const output = {};
  if (params.feed !== undefined) output.chain = onChain(params.feed);
  if (params.url !== undefined) output.web = onWeb(params.url);
  return JSON.stringify(output);
}

function onChain(feed) {
  const data = call(feed, LATEST_ROUND_DATA);
  if (data.length < 130) throw "the feed's answer is too short";
  return BigInt("0x" + data.slice(66, 130)).toString();
}

function onWeb(url) {
  const headers = [{ name: "authorization", value: "Bearer {{secret:PRICE_KEY}}" }];
  const response = send({ method: "get", url, headers });
  if (response.status !== 200) throw `status ${response.status}`;
  return JSON.parse(response.body).price;
}
