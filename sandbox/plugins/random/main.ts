import { main } from "../provider/main";
import { random } from "./provider";

void main(random);
