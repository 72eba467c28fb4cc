import { main } from "../provider/main";
import { datadog } from "./provider";

void main(datadog);
