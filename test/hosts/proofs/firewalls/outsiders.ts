/** Hosts of the same account that are not the stack's: one in its VPC, one in another. Nothing guards them. */
import { waitFor } from "../../../waitFor";
import type { World } from "../../world/world";

interface Droplet {
  readonly id: number;
  readonly status: string;
  readonly vpc_uuid: string;
  readonly region: { readonly slug: string };
}

export class Outsiders {
  private constructor(
    private readonly world: World,
    private readonly vpcId: string,
    readonly neighbourId: number,
    readonly strangerId: number,
  ) {}

  static async create(world: World): Promise<Outsiders> {
    const { account } = world;
    const { droplets } = await account.call<{ droplets: Droplet[] }>("GET", "droplets?per_page=200");
    const own = droplets.find(({ id }) => id === world.hosts[0]?.identity.dropletId);
    if (!own) throw new Error("the account does not know the world's first host");
    const region = own.region.slug;
    const { vpc } = await account.call<{ vpc: { id: string } }>("POST", "vpcs", {
      name: "foreign",
      region,
      ip_range: "10.99.0.0/24",
    });
    const boot = async (name: string, vpc_uuid: string): Promise<number> => {
      const body = { name, region, size: "s-1vcpu-1gb", image: "ubuntu-26-04-x64", vpc_uuid };
      const { droplet } = await account.call<{ droplet: Droplet }>("POST", "droplets", body);
      const isActive = async () => {
        const now = await account.call<{ droplet: Droplet }>("GET", `droplets/${droplet.id}`);
        return now.droplet.status === "active" && (await isAddressed(droplet.id));
      };
      await waitFor(`${name} boots`, isActive, { within: 180 });
      return droplet.id;
    };
    const isAddressed = async (id: number): Promise<boolean> => {
      const { stdout } = await world.provider
        .host(id)
        .attempt("ip", ["-4", "-brief", "address", "show", "up"]);
      return /eth0.*\d/.test(stdout) && /eth1.*\d/.test(stdout);
    };
    const [neighbour, stranger] = await Promise.all([
      boot("neighbour", own.vpc_uuid),
      boot("stranger", vpc.id),
    ]);
    return new Outsiders(world, vpc.id, neighbour, stranger);
  }

  async remove(): Promise<void> {
    const { account } = this.world;
    for (const id of [this.neighbourId, this.strangerId]) await account.call("DELETE", `droplets/${id}`);
    const areGone = async () => {
      const ids = (await account.droplets()).map(({ id }) => id);
      return !ids.includes(this.neighbourId) && !ids.includes(this.strangerId);
    };
    await waitFor("foreign hosts go", areGone, { within: 60 });
    await account.call("DELETE", `vpcs/${this.vpcId}`);
  }
}
