/** A failure of schemathesis that is no fault of the sandbox. */
export interface AcceptedFailure {
  /** `METHOD /v2/path` of the description. */
  readonly operation: string;
  /** schemathesis's name of the failure. */
  readonly failure: string;
  /** What the sandbox refuses or answers, and where the rule is that the description does not express. */
  readonly why: string;
}

const refuses = (operation: string, why: string): AcceptedFailure => ({
  operation,
  failure: "RejectedPositiveData",
  why,
});

/** The reason that several operations share. */
const EMPTY_QUERY =
  "An empty query parameter is refused; the description gives the parameter the type string and no smallest length.";

const NO_EMPTY_ID = "An id is 1 or more, or a text that is not empty; the schema has no smallest value.";
const A_RULE = "A firewall has at least one rule, and names droplets and tags that exist.";

/**
 * RejectedPositiveData: the request fits the description's types, and the sandbox refuses it with 400 or 422 as
 * DigitalOcean does. Each entry names the rule that the types cannot say.
 */
export const ACCEPTED_FAILURES: readonly AcceptedFailure[] = [
  refuses("DELETE /v2/droplets", EMPTY_QUERY),
  refuses("GET /v2/actions", EMPTY_QUERY),
  refuses("GET /v2/certificates", EMPTY_QUERY),
  refuses("GET /v2/droplets", EMPTY_QUERY),
  refuses("GET /v2/images", EMPTY_QUERY),
  refuses("GET /v2/volumes", EMPTY_QUERY),
  refuses("GET /v2/vpcs/{vpc_id}/members", EMPTY_QUERY),
  refuses("PATCH /v2/projects/default", "A project's name is not empty; the schema has no smallest length."),
  refuses("PATCH /v2/projects/{project_id}", "A project's name is not empty, and no other project has it."),
  refuses("PATCH /v2/vpcs/{vpc_id}", "No other VPC of the account has the name."),
  refuses("POST /v2/account/keys", "The name is not empty, and the public key is one in OpenSSH's form."),
  refuses(
    "POST /v2/certificates",
    "A custom certificate has its PEM texts, a Let's Encrypt one has names of the account's domains.",
  ),
  refuses(
    "POST /v2/domains",
    "The name is required (the description marks nothing as required) and a domain's name.",
  ),
  refuses("POST /v2/droplets", "Region, size and image exist and fit each other; a name is a host name."),
  refuses("POST /v2/droplets/actions", EMPTY_QUERY),
  refuses(
    "POST /v2/firewalls",
    "A firewall has at least one rule; addresses, ports, droplets and tags exist or parse.",
  ),
  refuses("POST /v2/floating_ips", "The droplet exists; ids begin at 1."),
  refuses("POST /v2/images", "The name is not empty, and the URL is one of http, https or ftp."),
  refuses(
    "POST /v2/load_balancers",
    "Names, certificates, droplets, VPC and the pairs of protocols fit each other.",
  ),
  refuses(
    "POST /v2/monitoring/alerts",
    "The description is not empty, and mail goes to the account's address alone.",
  ),
  refuses(
    "POST /v2/projects/default/resources",
    "The list is required and not empty; a URN names an id of its kind.",
  ),
  refuses(
    "POST /v2/projects/{project_id}/resources",
    "The list is required and not empty; a URN names an id of its kind.",
  ),
  refuses("POST /v2/reserved_ips", "The droplet exists; ids begin at 1."),
  refuses("POST /v2/tags", "The name is required; the description marks nothing as required."),
  refuses("POST /v2/tags/{tag_id}/resources", "A resource's id is not empty."),
  refuses(
    "POST /v2/uptime/checks",
    "The name is not empty, and the target is an address of the check's type.",
  ),
  refuses("POST /v2/volumes", "A volume's name has DigitalOcean's form, its size is 1 to 16,384 GiB."),
  refuses("POST /v2/volumes/actions", "The volume and the droplet exist; ids begin at 1."),
  refuses("POST /v2/vpcs", "The region exists, and the address range is free."),
  refuses("POST /v2/vpcs/{vpc_id}/peerings", "A VPC is peered with another one that exists."),
  refuses("PUT /v2/projects/default", "A project's name is not empty; the schema has no smallest length."),
  refuses("PUT /v2/projects/{project_id}", "A project's name is not empty, and no other project has it."),
  refuses("PUT /v2/vpcs/{vpc_id}", "No other VPC of the account has the name."),
  refuses("DELETE /v2/tags/{tag_id}/resources", NO_EMPTY_ID),
  refuses("DELETE /v2/volumes", "The query names a region that this sandbox does not have."),
  refuses("POST /v2/firewalls/{firewall_id}/droplets", NO_EMPTY_ID),
  refuses("POST /v2/firewalls/{firewall_id}/rules", "The body has at least one rule."),
  refuses(
    "POST /v2/firewalls/{firewall_id}/tags",
    "The body has a list of tags; the schema takes null as well.",
  ),
  refuses("PUT /v2/firewalls/{firewall_id}", A_RULE),
  refuses("POST /v2/projects", "A project's name is not empty, and no other project has it."),
  refuses(
    "Stateful tests",
    "The report does not tell the steps of a scenario apart; they are the operations above.",
  ),
  {
    operation: "OPTIONS /v2/projects/default",
    failure: "AllowHeaderMismatch",
    why: "DELETE is in Allow, because the path is one of /v2/projects/{project_id} as well, which has it.",
  },
];
