/** The hop from the monitoring agent to its intake: stand-ins of both, and HTTPS between them as in production. */
import { Gateway, INTAKE_URL, type Intake } from "../../../sandbox/datadog/collector/gateway";
import { installCollector } from "../../../sandbox/datadog/collector/host";
import { ensureTelegraf } from "../../../sandbox/datadog/collector/telegraf";
import { type RunningDatadog, startDatadog } from "../../../sandbox/datadog/server";
import type { World } from "../world/world";

const INTERVAL_SECONDS = 1;

export class AgentHop {
  private constructor(
    private readonly world: World,
    private readonly telegraf: string,
    private readonly datadog: RunningDatadog,
    private readonly gateway: Gateway,
  ) {}

  /** An agent on every web host, which sends by HTTPS; undefined, with the reason printed, where there is none to be had. */
  static async start(world: World): Promise<AgentHop | undefined> {
    const telegraf = await ensureTelegraf((line) => console.log(`      ${line}`));
    if (telegraf === undefined) {
      console.log("      not measured: the agent's hop (its stand-in is built with Go)");
      return undefined;
    }
    const datadog = await startDatadog({ port: 0 });
    const hop = new AgentHop(world, telegraf, datadog, new Gateway(world.instance));
    try {
      await hop.install(await hop.gateway.openSecurely(datadog.port));
      return hop;
    } catch (error) {
      await hop.close();
      throw error;
    }
  }

  /** Takes TLS away. */
  async speakPlainly(): Promise<void> {
    await this.gateway.open(this.datadog.port);
    await this.install({ intakeUrl: INTAKE_URL });
  }

  /** Whether a log line with this text has come to the intake. */
  has(text: string): boolean {
    return this.datadog.logs.some(({ message }) => message.includes(text));
  }

  async close(): Promise<void> {
    await this.gateway.close();
    await this.datadog.close();
  }

  private async install(intake: Intake): Promise<void> {
    const options = { ...intake, intervalSeconds: INTERVAL_SECONDS };
    await Promise.all(
      this.world.hostsWith("web").map(({ machine }) => installCollector(machine, this.telegraf, options)),
    );
  }
}
