// A provider for the policies' engine tests: it takes every resource, reports which ones it created, and keeps nothing.
// `<stub>.created` (environment variable STUB_PROVIDER_LOG) gets one line for each creation: the resource's URN.
const { appendFileSync } = require("node:fs");
const provider = require("@pulumi/pulumi/provider");

const stub = {
  version: "4.68.0",
  check: async (_urn, _olds, news) => ({ inputs: news }),
  diff: async (_id, _urn, olds, news) => ({
    changes: JSON.stringify(olds) !== JSON.stringify(news),
    replaces: [],
  }),
  create: async (urn, inputs) => {
    appendFileSync(process.env.STUB_PROVIDER_LOG, `${urn}\n`);
    return { id: `${urn.split("::").at(-1)}-id`, outs: inputs };
  },
  update: async (_id, _urn, _olds, news) => ({ outs: news }),
  delete: async () => {},
};

provider.main(stub, process.argv.slice(2));
