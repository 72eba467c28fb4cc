import { main } from "../provider/main";
import { digitalocean } from "./provider";

void main(digitalocean);
