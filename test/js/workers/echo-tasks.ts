// Tasks whose answer is their value.
import { serveTasks } from 'sabway'

serveTasks((value) => value)
