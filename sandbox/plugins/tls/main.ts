import { main } from "../provider/main";
import { tls } from "./provider";

void main(tls);
