// The words that docs/dev/style.md replaces, as patterns that ordinary uses do not match.
// Each has a sample that it must find and a neighbour that it must not.

export const REFUSED = [
  {
    pattern: /\b(stands?|stood|standing) (at|behind|in|under|there|beside|before|between|above|below|on)\b/gi,
    instead: '"is at", "is appended to", "is in"',
    finds: "the length stands behind it",
    passes: "D stands for the differential campaign",
  },
  {
    pattern: /\bwho(m|se)?ever\b/gi,
    instead: '"the caller", "anyone who"',
    finds: "whoever relays it",
    passes: "anyone who relays it",
  },
  {
    pattern: /\b(nobody|somebody|anybody)('s|\b)/gi,
    instead: '"no one", "anyone", or the passive',
    finds: "anybody may call it",
    passes: "anyone may call it",
  },
  {
    pattern: /\b(is|are|was|were|be|stays?|remains?) (still )?(as )?good\b/gi,
    instead: '"valid"',
    finds: "the signature stays good",
    passes: "a good reason",
  },
  {
    pattern: /\bgood (until|once|while|again|signatures?|authorizations?|for (minutes|ever))\b/gi,
    instead: '"valid", "valid until", "can be used only once"',
    finds: "an attestation is good once",
    passes: "a good reason",
  },
  {
    pattern: /\b(is|are|stays?) sound\b/gi,
    instead: '"valid"',
    finds: "the key is sound",
    passes: "an unsound cast",
  },
  {
    pattern: /(?<!\b(?:all|any|each|most|one|some) )of (its|their|your|his|her|our|my|one's) own\b/gi,
    instead: '"its own", "separate"',
    finds: "a file of its own",
    passes: "one of its own calls",
  },
  { pattern: /\bunder way\b/gi, instead: '"pending"', finds: "attestations under way", passes: "pending ones" },
  {
    pattern: /\bthe present\b/gi,
    instead: '"the current time", `block.timestamp`, "current"',
    finds: "lowers it to the present",
    passes: "a key that is present",
  },
  {
    pattern: /\b(let|lets|letting) (?:[\w`']+ ){0,4}through\b|\b(go|goes|going|went|gone) through\b/gi,
    instead: '"authorize", "succeed"',
    finds: "operators let a call through",
    passes: "passes through a proxy",
  },
  {
    pattern: /(?<!\b(?:leaves?|left|let|leaving) (?:[\w`]+ ){0,3})\balone\b/gi,
    instead: '"only", "by itself"',
    finds: "from the code alone",
    passes: "leaves the rest alone",
  },
  {
    pattern: /\b(came|comes|become) of (it|each|that|them|this|a|the)\b/gi,
    instead: '"the result"',
    finds: "what came of each check",
    passes: "comes from the code",
  },
  { pattern: /\bcut from\b/gi, instead: '"derived from"', finds: "cut from a document", passes: "derived from it" },
  {
    pattern: /\bof no use\b|\b(is|are) none\b/gi,
    instead: '"is invalid", "cannot be used"',
    finds: "a denial is none",
    passes: "none is left",
  },
  {
    pattern: /\bput(s|ting)? (it|them|that|this|the \w+)? ?right\b|\bmend(s|ed|ing)?\b/gi,
    instead: '"fix"',
    finds: "`forge clean` mends it",
    passes: "amended and recommended",
  },
  {
    pattern: /\b(tell|tells|telling|told|hear|hears|heard) of\b/gi,
    instead: '"publish", "notify"',
    finds: "tells the validators, who hear of it",
    passes: "tells how",
  },
  {
    pattern: /\b(operator|signer|item|key|byte|word|field)'s place\b|\bat ((the|its|each|every|another|a) )?place\b/gi,
    instead: '"index", "offset", "pointer"',
    finds: "the operator's place",
    passes: "in place of it",
  },
];

// Words that the report counts, in the order of its table.
export const COUNTED = {
  "stand(s)/stood": /\b(stands?|stood)\b/gi,
  good: /\bgood\b/gi,
  alone: /\balone\b/gi,
  "place(s)": /\bplaces?\b/gi,
  behind: /\bbehind\b/gi,
  whoever: /\bwhoever\b/gi,
  "of its own": /\bof (its|their|your|his|her|our|my|one's) own\b/gi,
  nobody: /\bnobody\b/gi,
  somebody: /\bsomebody\b/gi,
  anybody: /\banybody\b/gi,
  valid: /\bvalid\b/gi,
  invalid: /\binvalid\b/gi,
  "current(ly)": /\bcurrent(ly)?\b/gi,
  "return(s)": /\breturns?\b/gi,
  emitted: /\bemitted\b/gi,
  whether: /\bwhether\b/gi,
};
